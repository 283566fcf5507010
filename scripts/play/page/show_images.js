// The fully connected net: a picture to draw on, its classes, its hidden units.

const PUSHES = { left: [0, -1], up: [-1, 0], down: [1, 0], right: [0, 1] };

class ImagesExhibit {
  constructor(data) {
    this.data = data;
    this.model = new MLP(unpackAll(data.arrays), data.layers);
    [, this.height, this.width] = data.about.image_shape;
    this.size = this.height * this.width;
    this.pixels = new Uint8ClampedArray(this.size);
    this.label = null;
    const canvas = byId("picture");
    [canvas.width, canvas.height] = [this.width, this.height];
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.touch(event);
    });
    canvas.addEventListener("pointermove", (event) => event.buttons && this.touch(event));
    canvas.addEventListener("keydown", (event) => {
      const name = event.key.replace("Arrow", "").toLowerCase();
      if (!PUSHES[name]) return;
      event.preventDefault();
      this.push(name);
    });
    for (const button of document.querySelectorAll("[data-push]"))
      button.addEventListener("click", () => this.push(button.dataset.push));
    byId("picture-clear").addEventListener("click", () => this.take(null));
    byId("picture-again")?.addEventListener("click", () => this.take(this.chosen));
    this.makeUnits();
    this.makeStrip();
    this.take(data.labels.length ? 0 : null);
  }
  image(number) {
    return bytes(this.data.pictures).subarray(number * this.size, (number + 1) * this.size);
  }
  makeStrip() {
    this.buttons = this.data.labels.map((label, number) => {
      const canvas = element("canvas", { width: this.width, height: this.height });
      paint(canvas, this.image(number));
      const name = `Test image ${number + 1}: ${this.data.about.classes[label]}`;
      const button = element("button", { type: "button", "aria-label": name, title: name }, canvas);
      button.addEventListener("click", () => this.take(number));
      return button;
    });
    byId("pictures")?.append(...this.buttons);
  }
  // The test image of this number, or an empty picture.
  take(number) {
    if (number === null) this.pixels.fill(0);
    else {
      this.chosen = number;
      this.pixels.set(this.image(number));
    }
    this.label = number === null ? null : this.data.labels[number];
    this.buttons.forEach((button, n) => button.setAttribute("aria-pressed", n === number));
    this.show();
  }
  // Moves the picture by one pixel; black comes in.
  push(name) {
    const [down, right] = PUSHES[name];
    const before = this.pixels.slice();
    for (let y = 0; y < this.height; y++)
      for (let x = 0; x < this.width; x++) {
        const [from, at] = [y - down, x - right];
        const inside = from >= 0 && from < this.height && at >= 0 && at < this.width;
        this.pixels[y * this.width + x] = inside ? before[from * this.width + at] : 0;
      }
    this.show();
  }
  // The pointer draws, erases or smudges what is within about a pixel and a half of it.
  touch({ clientX, clientY }) {
    const box = byId("picture").getBoundingClientRect();
    const x = ((clientX - box.left) / box.width) * this.width - 0.5;
    const y = ((clientY - box.top) / box.height) * this.height - 0.5;
    const radius = Math.max(1, this.width / 18);
    const tool = byId("tool").value;
    const before = this.pixels.slice();
    const pixel = (row, column) =>
      column >= 0 && column < this.width ? before[row * this.width + column] ?? 0 : 0;
    for (let row = 0; row < this.height; row++)
      for (let column = 0; column < this.width; column++) {
        const near = 1 - Math.hypot(row - y, column - x) / (radius + 0.5);
        if (near <= 0) continue;
        const old = pixel(row, column);
        const [above, below] = [pixel(row - 1, column), pixel(row + 1, column)];
        const around = (above + below + pixel(row, column - 1) + pixel(row, column + 1)) / 4;
        const wanted = { pen: 255, eraser: 0, smudge: around }[tool];
        this.pixels[row * this.width + column] = old + (wanted - old) * Math.min(1, 1.4 * near);
      }
    this.show();
  }
  show() {
    const { classes } = this.data.about;
    const { probabilities, hidden } = this.model.forward(this.pixels);
    paint(byId("picture"), this.pixels);
    showClasses(byId("picture-classes"), classes, probabilities);
    byId("picture-told").textContent =
      `It says: ${classes[likeliest(probabilities)]}.` +
      (this.label === null ? "" : ` The test image is labelled ${classes[this.label]}.`);
    this.units.forEach((grid, n) => grid.show(hidden[n]));
  }
  // A field for each unit of each hidden layer, and what one unit of the first looks for.
  makeUnits() {
    const { hidden } = this.model.forward(this.pixels);
    this.units = hidden.map((values, n) => {
      const columns = Math.min(32, values.length);
      const grid = new Grid(values.length, columns, 256 / columns, `Hidden layer ${n + 1}`);
      const told = `Hidden layer ${n + 1}: ${values.length} units`;
      byId("hidden").append(element("p", { class: "note" }, told), grid.drawing);
      return grid;
    });
    if (!hidden.length) return;
    this.filter = new Grid(this.size, this.width, 112 / this.width, "What the unit looks for");
    const most = { min: 1, max: hidden[0].length };
    const range = element("input", { type: "range", id: "unit", ...most, value: 1 });
    const name = element("output", { for: "unit" });
    const colours = [
      element("span", { class: "light" }, "light"),
      " and ",
      element("span", { class: "dark" }, "dark"),
    ];
    const look = () => {
      name.textContent = range.value;
      this.units[0].choose(range.value - 1);
      this.filter.show(this.model.first.row(range.value - 1));
    };
    range.addEventListener("input", look);
    this.units[0].drawing.addEventListener("click", ({ target }) => {
      const at = this.units[0].cells.indexOf(target);
      if (at >= 0) [range.value] = [at + 1];
      look();
    });
    byId("hidden").append(
      element("p", { class: "note" }, "What a unit of the first layer looks for: ", ...colours),
      element("div", { class: "inspect" }, element("label", { for: "unit" }, "unit"), range, name),
      this.filter.drawing,
    );
    look();
  }
}

// Numbers as fields, the stronger the farther from 0; below 0 in the other colour.
class Grid {
  // side: of a field, in pixels.
  constructor(count, columns, side, label) {
    this.cells = Array.from({ length: count }, (_, n) =>
      shape("rect", {
        x: (n % columns) * side,
        y: Math.floor(n / columns) * side,
        width: side - (side > 4),
        height: side - (side > 4),
      }),
    );
    const rows = Math.ceil(count / columns);
    const field = shape("rect", { class: "field", width: columns * side, height: rows * side });
    this.drawing = drawing(columns * side, rows * side, label, field, ...this.cells);
  }
  show(values) {
    const largest = Math.max(1e-9, ...values.map(Math.abs));
    values.forEach((value, n) => {
      this.cells[n].setAttribute("class", value < 0 ? "less" : "more");
      this.cells[n].setAttribute("fill-opacity", (Math.abs(value) / largest).toFixed(2));
    });
  }
  choose(number) {
    for (const [n, cell] of this.cells.entries())
      cell.setAttribute("stroke", n === number ? "var(--ink)" : "none");
  }
}

// Grey pixels (D), 0 to 255, onto a canvas of their size.
function paint(canvas, pixels) {
  const image = new ImageData(canvas.width, canvas.height);
  pixels.forEach((value, n) => image.data.set([value, value, value, 255], 4 * n));
  canvas.getContext("2d").putImageData(image, 0, 0);
}
