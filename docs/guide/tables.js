// Tells each cell of a table the head of its column. style.css shows it on narrow screens, where a row is a block of cells, one below
// the other.
for (const table of document.querySelectorAll(".content table")) {
    const heads = [...table.querySelectorAll("thead th")].map((head) => head.textContent.trim());
    for (const row of table.querySelectorAll("tbody tr")) {
        [...row.cells].forEach((cell, column) => {
            cell.dataset.head = heads[column] ?? "";
        });
    }
}
