// A classifier of DNA, and what mattered in each letter.

const LETTER = { width: 14, above: 62, below: 40, text: 16 }; // pixels
const CAPITAL = 14.5; // pixels: the height of a letter before it is stretched to its effect

class ClassifierExhibit {
  constructor(data) {
    this.data = data;
    this.model = new DNAClassifier(unpackAll(data.arrays), data.about);
    this.turn = 0; // counts what was typed, so that an older computation ends
    this.shown = data.about.classes.map(() => 0);
    byId("sequence").addEventListener("input", () => this.show());
    byId("sequence-random").addEventListener("click", () => this.random());
    for (const button of document.querySelectorAll("#dna .example"))
      button.addEventListener("click", () => this.example(Number(button.dataset.class)));
    new ResizeObserver(() => this.draw()).observe(byId("sequence-letters"));
    const last = data.examples.findLastIndex((sequences) => sequences.length);
    if (last >= 0) this.example(last);
    else this.random();
  }
  // The next test sequence of a class.
  example(number) {
    const all = this.data.examples[number];
    const at = this.shown[number]++ % all.length;
    byId("sequence").value = all[at];
    this.show();
    byId("sequence-label").textContent =
      `Test sequence ${at + 1} of ${all.length} here, labelled ${this.data.about.classes[number]}.`;
  }
  random() {
    const letters = Array.from({ length: this.data.about.length }, () => randomOf("ACGT"));
    byId("sequence").value = letters.join("");
    this.show();
  }
  async show() {
    const turn = ++this.turn;
    const { classes, length } = this.data.about;
    this.letters = [];
    this.effects = [];
    byId("sequence-message").textContent = "";
    byId("sequence-label").textContent = "";
    byId("sequence-told").textContent = "";
    byId("sequence-classes").replaceChildren();
    try {
      const letters = readLetters(byId("sequence").value, NUCLEOTIDES);
      if (!letters.length) throw new Error("Type some letters: A, C, G and T.");
      if (letters.length > length)
        throw new Error(`${letters.length} letters are too many: the model reads ${length}.`);
      if (letters.length < length)
        byId("sequence-message").textContent =
          `The model was trained on ${length} letters; these are ${letters.length}.`;
      this.letters = letters;
    } catch (error) {
      byId("sequence-message").textContent = error.message;
      return this.draw();
    }
    const p = this.model.probabilities(this.letters);
    const answer = likeliest(p);
    showClasses(byId("sequence-classes"), classes, p);
    this.draw();
    let drawn = performance.now();
    for (const { place, effects } of mutagenesis(this.model, this.letters, answer)) {
      this.effects[place] = effects;
      if (performance.now() - drawn < 50) continue;
      byId("sequence-told").textContent = `${place + 1} of ${this.letters.length} letters tried.`;
      this.draw();
      await pause();
      if (turn !== this.turn) return;
      drawn = performance.now();
    }
    this.draw();
    this.tell(classes[answer]);
  }
  // The mean effect of the other letters at a place; 0 while it is not known.
  mean(place) {
    const effects = this.effects[place] ?? [];
    return effects.reduce((sum, [, effect]) => sum + effect / 3, 0);
  }
  tell(answer) {
    const places = [...this.letters.keys()].sort((a, b) => this.mean(b) - this.mean(a)).slice(0, 3);
    const words = places.map((at) => `${NUCLEOTIDES[this.letters[at]]} at ${at + 1}`);
    byId("sequence-told").textContent = `What speaks most for “${answer}”: ${words.join(", ")}.`;
  }
  draw() {
    const box = byId("sequence-letters");
    const { width, above, below, text } = LETTER;
    const perRow = Math.max(10, Math.floor(box.clientWidth / width));
    const means = this.letters.map((_, at) => this.mean(at));
    // Pixels of an effect of 1, so that the largest fit above the line and below it.
    const [highest, lowest] = [Math.max(0.5, ...means), Math.min(-0.25, ...means)];
    const scale = Math.min(above / highest, below / -lowest);
    const rows = Math.ceil(this.letters.length / perRow);
    const tall = above + below + text;
    const parts = [];
    for (let row = 0; row < rows; row++) {
      const y = row * tall + above;
      parts.push(shape("line", { class: "axis", x1: 0, x2: perRow * width, y1: y, y2: y }));
    }
    this.letters.forEach((letter, at) => {
      const name = NUCLEOTIDES[letter];
      const x = ((at % perRow) + 0.5) * width;
      const y = Math.floor(at / perRow) * tall + above;
      const mean = means[at];
      const stretch = (scale * Math.abs(mean)) / CAPITAL;
      const changes = (this.effects[at] ?? []).map(
        ([other, effect]) => `${NUCLEOTIDES[other]} ${effect.toFixed(2)}`,
      );
      const tip = `${name} at ${at + 1}; instead of it: ${changes.join(", ")}`;
      if (stretch > 0.01) {
        const foot = mean > 0 ? y : y + stretch * CAPITAL;
        const transform = `translate(${x} ${foot}) scale(0.9 ${stretch})`;
        parts.push(shape("text", { class: name, transform, text: name, tip }));
      }
      parts.push(shape("text", { class: "small", x, y: y + below + 11, text: name, tip }));
    });
    const label = `How much each of ${this.letters.length} letters speaks for the answer`;
    const picture = drawing(perRow * width, Math.max(1, rows * tall), label, ...parts);
    picture.classList.add("logo");
    box.replaceChildren(picture);
  }
}
