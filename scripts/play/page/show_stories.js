// A language model writes, and each token shows what was read to write it.

const MOST_TOKENS = 500;
const LONGEST_PROMPT = 2000; // characters: merging pairs takes a time that grows with the square

class StoriesExhibit {
  constructor(data) {
    this.tokenizer = tokenizerOf(data.tokenizer);
    this.model = languageModel(unpackAll(data.arrays), data.about);
    this.steps = []; // of each token: its element, and the weights if it was written
    this.turn = 0;
    const { n_layers: layers, n_heads: heads } = data.about.model;
    offerHeads(byId("story-head"), layers, heads);
    byId("write").addEventListener("click", () => this.write());
    byId("stop").addEventListener("click", () => {
      this.turn++;
      this.end();
    });
    byId("story-head").addEventListener("change", () => this.mark(this.chosen));
    for (const id of ["temperature", "top-p"])
      byId(id).addEventListener("input", () => (byId(`${id}-value`).textContent = byId(id).value));
    byId("story").addEventListener("pointerover", ({ target }) => {
      const at = this.steps.findIndex((step) => step.element === target);
      if (this.steps[at]?.weights) this.mark(at);
    });
    byId("story").addEventListener("keydown", (event) => this.move(event));
    this.write();
  }
  // The settings of the page. Throws an Error, to be shown, for a seed that is none.
  settings() {
    const typed = byId("seed").value;
    const seed = Number(typed);
    if (typed === "" || !Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32)
      throw new Error("The seed is a whole number from 0 to 4294967295.");
    const [temperature, topP] = ["temperature", "top-p"].map((id) => Number(byId(id).value));
    return { seed, temperature, topP, stop: this.tokenizer.separator, most: MOST_TOKENS };
  }
  async write() {
    const turn = ++this.turn;
    byId("prompt-message").textContent = "";
    this.clear();
    let given, settings;
    try {
      const prompt = byId("prompt").value;
      if (prompt.length > LONGEST_PROMPT)
        throw new Error(`${prompt.length} characters are too many: type ${LONGEST_PROMPT} at most.`);
      given = this.tokenizer.encode(prompt);
      if (this.tokenizer.separator !== null) given.unshift(this.tokenizer.separator);
      if (!given.length) throw new Error("Type a word: this model begins no text by itself.");
      settings = this.settings();
    } catch (error) {
      byId("prompt-message").textContent = error.message;
      return;
    }
    for (const token of given) this.append(token, "given");
    byId("stop").disabled = false;
    const began = performance.now();
    let drawn = began;
    let characters = 0;
    const tell = () => {
      const seconds = Math.max(1, performance.now() - began) / 1000;
      const rate = Math.round(characters / seconds);
      byId("story-told").textContent = `${characters} characters, ${rate} per second`;
    };
    for (const step of write(this.model, given, settings)) {
      if (step.token === settings.stop) break;
      characters += this.append(step.token, "written", step);
      if (performance.now() - drawn < 30) continue;
      tell();
      await pause();
      if (turn !== this.turn) return;
      drawn = performance.now();
    }
    tell();
    this.end();
  }
  // Nothing is written any more; one token shows what there is to see.
  end() {
    byId("stop").disabled = true;
    const first = this.steps.findIndex((step) => step.weights);
    if (this.chosen < 0 && first >= 0) this.mark(Math.min(first + 40, this.steps.length - 1));
  }
  clear() {
    byId("stop").disabled = true;
    this.steps = [];
    this.chosen = -1;
    this.decoder = new TextDecoder();
    byId("story").replaceChildren();
    byId("story-told").textContent = "";
  }
  // The letters of a token, as many as are whole; returns how many.
  append(token, kind, { weights, start } = {}) {
    const begins = token === this.tokenizer.separator;
    const text = begins ? "▸ " : this.decoder.decode(this.tokenizer.bytes(token), { stream: true });
    const span = element("span", { class: kind }, text);
    byId("story").append(span);
    this.steps.push({ element: span, weights, start });
    return text.length;
  }
  // Marks a written token, and the earlier ones by how much they were read to write it.
  mark(at) {
    this.steps[this.chosen]?.element.classList.remove("chosen");
    this.chosen = at;
    const step = this.steps[at];
    if (!step?.weights) return;
    step.element.classList.add("chosen");
    const read = chosenWeights(step.weights, byId("story-head").value);
    const largest = Math.max(...read);
    this.steps.forEach(({ element }, n) => {
      const weight = n < at ? (read[n - step.start] ?? 0) : 0;
      element.style.setProperty("--share", Math.sqrt(weight / largest).toFixed(3));
      if (weight) element.title = percent(weight);
      else element.removeAttribute("title");
    });
  }
  move(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const first = this.steps.findIndex((step) => step.weights);
    if (first < 0) return;
    const next = this.chosen < 0 ? first : this.chosen + by;
    this.mark(Math.min(Math.max(next, first), this.steps.length - 1));
  }
}
