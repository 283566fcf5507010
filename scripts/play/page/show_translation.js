// DNA to protein: the encoder-decoder, and its cross-attention.

const LONGEST_GENE = 300; // letters: attention compares all with all
const CELL = { width: 15, height: 19, left: 34, top: 42 };

class TranslationExhibit {
  constructor(data) {
    this.data = data;
    this.model = new Transformer(unpackAll(data.arrays), data.about);
    const { n_decoder_layers: layers, n_heads: heads } = data.about.model;
    offerHeads(byId("frame-head"), layers, heads);
    byId("frame").addEventListener("input", () => this.show());
    byId("frame-head").addEventListener("change", () => this.draw());
    byId("frame-new").addEventListener("click", () => this.begin());
    byId("frame-change").addEventListener("click", () => this.change());
    this.begin();
    byId("frame-head").value = this.sharpest();
    this.draw();
  }
  // A gene by chance: ATG, some codons that are no stops, a stop; short enough for the map.
  begin() {
    const codons = Object.keys(this.data.code);
    const stops = codons.filter((codon) => this.data.code[codon] === "*");
    const others = codons.filter((codon) => !stops.includes(codon));
    const count = Math.floor(this.data.about.source_length / 3) - 2;
    const middle = Array.from({ length: Math.min(count, 14) }, () => randomOf(others));
    byId("frame").value = ["ATG", ...middle, randomOf(stops)].join("");
    this.show();
  }
  // Another letter at some place behind the start.
  change() {
    const text = this.letters;
    if (text.length < 7) return; // nothing lies between the start and the stop
    const at = 3 + Math.floor(Math.random() * (text.length - 6));
    const others = [...this.data.nucleotides].filter((letter) => letter !== text[at]);
    byId("frame").value = text.slice(0, at) + randomOf(others) + text.slice(at + 1);
    this.show();
  }
  // What the genetic code makes of the gene: amino acids up to the first stop; null without one.
  byTheCode() {
    const acids = (this.letters.match(/.../g) ?? []).map((codon) => this.data.code[codon]).join("");
    return acids.includes("*") ? acids.slice(0, acids.indexOf("*")) : null;
  }
  show() {
    const { nucleotides, acids, start, end, about } = this.data;
    this.letters = "";
    byId("frame-message").textContent = "";
    try {
      const source = readLetters(byId("frame").value, nucleotides);
      if (source.length < 3) throw new Error("Type three letters or more: a codon.");
      if (source.length > LONGEST_GENE)
        throw new Error(`${source.length} letters are too many: type ${LONGEST_GENE} at most.`);
      this.letters = source.map((letter) => nucleotides[letter]).join("");
      const found = this.model.translate(source, start, end, Math.floor(source.length / 3) + 1);
      const written = found.tokens.filter((token) => token !== end);
      this.protein = written.map((token) => acids[token] ?? "-");
      this.attention = found.attention;
    } catch (error) {
      byId("frame-message").textContent = error.message;
    }
    const longest = about.source_length;
    if (this.letters.length > longest)
      byId("frame-message").textContent =
        `It was trained on at most ${longest} letters, and may not know what to make of more.`;
    this.tell();
    this.draw();
  }
  // The protein; letters that are not those of the genetic code are marked.
  tell() {
    const code = this.letters ? this.byTheCode() : null;
    const letters = this.letters ? this.protein : [];
    const marked = letters.map((acid, n) => {
      if (code === null || code[n] === acid) return acid;
      const title = `the genetic code says ${code[n] ?? "stop"}`;
      return element("span", { class: "wrong", title }, acid);
    });
    byId("protein").replaceChildren(...marked);
    if (!this.letters || byId("frame-message").textContent) return;
    if (code === null || this.letters.length % 3)
      byId("frame-message").textContent = "Not a whole gene: expected codons that end in a stop.";
    else if (code !== letters.join(""))
      byId("frame-message").textContent = `The genetic code says ${code}.`;
  }
  // Of the step that writes amino acid n, how much a head reads the codon of it.
  share(n, value) {
    return chosenWeights(this.attention[n], value)
      .subarray(3 * n, 3 * n + 3)
      .reduce((a, b) => a + b, 0);
  }
  meanShare(value) {
    return this.protein.reduce((sum, _, n) => sum + this.share(n, value), 0) / this.protein.length;
  }
  // The head that reads the codons most.
  sharpest() {
    const values = [...byId("frame-head").options].map((option) => option.value);
    const better = (one, other) => (this.meanShare(other) > this.meanShare(one) ? other : one);
    return values.reduce(better);
  }
  draw() {
    const parts = [];
    const letters = [...this.letters];
    const rows = letters.length ? [...this.protein, "end"].slice(0, this.attention.length) : [];
    const { width, height, left, top } = CELL;
    const field = { width: width * letters.length, height: height * rows.length };
    const [right, bottom] = [left + field.width, top + field.height];
    parts.push(shape("rect", { class: "field", x: left, y: top, ...field }));
    letters.forEach((letter, at) => {
      const [x, even] = [left + (at + 0.5) * width, Math.floor(at / 3) % 2 === 0];
      parts.push(shape("text", { x, y: top - 6, class: even ? "strong" : "", text: letter }));
      if (at % 3 === 0 && at + 2 < letters.length) {
        const bracket = `M${x - 4} ${top - 20}v-4h${2 * width + 8}v4`;
        parts.push(shape("path", { class: "frame", d: bracket }));
        const acid = this.data.code[this.letters.slice(at, at + 3)].replace("*", "end");
        parts.push(shape("text", { x: x + width, y: top - 28, text: acid }));
      }
    });
    rows.forEach((name, n) => {
      const y = top + n * height;
      parts.push(shape("text", { x: left / 2, y: y + 14, class: "strong", text: name }));
      chosenWeights(this.attention[n], byId("frame-head").value).forEach((weight, at) => {
        const box = { x: left + at * width, y, width: width - 0.5, height: height - 0.5 };
        const opacity = Math.sqrt(weight).toFixed(3);
        const tip = `${name} reads ${letters[at]} at ${at + 1}: ${percent(weight)}`;
        parts.push(shape("rect", { class: "cell", ...box, "fill-opacity": opacity, tip }));
      });
      if (3 * n + 3 <= letters.length) {
        const box = { x: left + 3 * n * width, y, width: 3 * width, height };
        parts.push(shape("rect", { class: "frame", ...box }));
      }
    });
    const label = `Which letters of the gene (columns) are read to write ${rows.join(" ")} (rows)`;
    byId("frame-map").replaceChildren(drawing(right + 2, bottom + 2, label, ...parts));
    byId("frame-share").textContent = this.letters && this.protein.length
      ? `Here they get ${percent(this.meanShare(byId("frame-head").value))} of the attention.`
      : "";
  }
}
