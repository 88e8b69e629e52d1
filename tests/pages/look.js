// What is wrong with the page that is shown: a list of sentences. Opens all folds on the way. Evaluated in the page by guide.rs.
(async () => {
    const faults = [];
    const name = (element) => `${element.tagName.toLowerCase()} "${element.textContent.trim().replace(/\s+/g, " ").slice(0, 40)}"`;
    const all = (selector, root = document) => [...root.querySelectorAll(selector)];
    const content = document.querySelector("main") ?? document.body;

    for (const fold of all("details", content)) {
        const summary = fold.querySelector("summary");
        if (!fold.open) summary?.click();
        const inside = all("pre", fold);
        if (!fold.open || inside.some((block) => block.getBoundingClientRect().height < 10)) {
            faults.push(`a fold does not open: ${name(summary ?? fold)}`);
        }
    }

    // What follows the width of the page has done so two frames later.
    for (let frame = 0; frame < 2; frame++) await new Promise((done) => requestAnimationFrame(done));

    if (document.documentElement.scrollWidth > innerWidth) {
        faults.push(`the page is ${document.documentElement.scrollWidth} px wide`);
    }
    // What lies in a block that scrolls by itself is not cut.
    for (const element of all("*", content)) {
        const { left, right, width } = element.getBoundingClientRect();
        if (width > 0 && (right > innerWidth + 1 || left < -1) && !element.closest("pre, p:has(> img:only-child)")) {
            faults.push(`cut off: ${name(element)}`);
        }
    }
    for (const wrapper of all(".table-wrapper", content)) {
        if (wrapper.scrollWidth > wrapper.clientWidth + 1) faults.push(`a table is cut: ${name(wrapper)}`);
    }
    for (const block of all("pre > code", content)) {
        if (innerWidth > 600 && block.scrollWidth > block.clientWidth + 1) {
            const lines = block.textContent.split("\n").map((line) => line.length);
            faults.push(`a block of ${Math.max(...lines)} columns is cut: ${name(block)}`);
        }
    }
    if (innerWidth < 600) {
        for (const table of all("table", content)) {
            const heads = all("thead th", table).map((head) => head.textContent.trim());
            const cells = all("tbody td", table);
            const isLabelled = (cell) => {
                const shown = getComputedStyle(cell, "::before").content;
                return !heads[cell.cellIndex] || shown.includes(JSON.stringify(heads[cell.cellIndex]));
            };
            if (cells.some((cell) => getComputedStyle(cell).display !== "block")) faults.push(`a table is not stacked: ${name(table)}`);
            else if (!cells.every(isLabelled)) faults.push(`a cell has no label: ${name(cells.find((cell) => !isLabelled(cell)))}`);
        }
    }
    for (const image of all("img", content)) {
        if (!image.complete || image.naturalWidth === 0) faults.push(`no picture: ${image.src}`);
    }

    // Words against what is behind them, by the contrast of WCAG 2.
    const parts = (color) => color.match(/[\d.]+/g).map(Number);
    const light = ([red, green, blue]) => {
        const linear = (part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
        return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
    };
    const behind = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const color = parts(getComputedStyle(at).backgroundColor);
            if (color.length === 3 || color[3] === 1) return color;
        }
        return [255, 255, 255];
    };
    const dim = new Set();
    for (const element of all("p, li, td, th, a, code, code span, summary, h1, h2, h3", content)) {
        const hasWords = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
        if (!hasWords || element.getBoundingClientRect().height === 0) continue;
        const [a, b] = [light(parts(getComputedStyle(element).color)), light(behind(element))].sort((a, b) => b - a);
        const contrast = (a + 0.05) / (b + 0.05);
        const kind = `${element.tagName.toLowerCase()}.${element.className}`;
        if (contrast < 3 && !dim.has(kind)) {
            dim.add(kind);
            faults.push(`hard to read, contrast ${contrast.toFixed(1)}: ${name(element)}, ${kind}`);
        }
    }
    return faults;
})();
