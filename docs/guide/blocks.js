// Makes a block whose lines are longer than the page is wide smaller, as far as it can still be read; so that the printed tables are whole
// beside the list of chapters. On narrow screens blocks scroll.
const SMALLEST_PX = 10;

function fit(code) {
    code.style.fontSize = "";
    if (innerWidth <= 600 || code.scrollWidth <= code.clientWidth) return;
    const style = getComputedStyle(code);
    const padding = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
    const part = (code.clientWidth - padding) / (code.scrollWidth - padding);
    code.style.fontSize = `${Math.max(SMALLEST_PX, Math.floor(parseFloat(style.fontSize) * part * 10) / 10)}px`;
}

const widths = new WeakMap();
const observer = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
        if (widths.get(target) !== contentRect.width) {
            widths.set(target, contentRect.width);
            fit(target.querySelector("code"));
        }
    }
});
document.querySelectorAll(".content pre:has(> code)").forEach((block) => observer.observe(block));
