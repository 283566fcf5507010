// Runs in the page under test, after its own script. CASES: small models, and texts to continue.
// Tells what the page computes of them, and what its exhibits do with right and wrong inputs.

const rows = (matrix) =>
  Array.from({ length: matrix.rows }, (_, n) => [...matrix.row(n)]);

const COMPUTE = {
  // Three tokens at once, then one by one, by the cache.
  language({ arrays, about, tokens }) {
    const model = languageModel(unpackAll(arrays), about);
    const caches = model.newCaches();
    const found = [tokens.slice(0, 3), ...tokens.slice(3).map((token) => [token])].map((some) =>
      model.forward(some, caches),
    );
    const weights = found.flatMap((one) => rows(one.weights[1][1]));
    return { found: found.flatMap((one) => rows(one.logits)), weights };
  },
  translation({ arrays, about, source, target }) {
    const model = new Transformer(unpackAll(arrays), about);
    const caches = model.newCaches(source.length, target.length);
    const memory = model.encode(source);
    const found = target.map((token) => model.decode([token], memory, caches));
    const weights = found.flatMap((one) => rows(one.weights[1][1]));
    return { found: found.flatMap((one) => rows(one.logits)), weights };
  },
  classifier({ arrays, about, letters }) {
    const model = new DNAClassifier(unpackAll(arrays), about);
    return { found: rows(model.forward(letters)), p: [...model.probabilities(letters)] };
  },
  net({ arrays, layers, pixels }) {
    const { logits, probabilities } = new MLP(unpackAll(arrays), layers).forward(pixels);
    return { found: [[...logits]], p: [...probabilities] };
  },
  tokenizer({ value, texts }) {
    const tokenizer = tokenizerOf(value);
    const found = texts.map((text) => tokenizer.encode(text));
    const decoded = found.map((tokens) => {
      const all = tokens.flatMap((token) => [...tokenizer.bytes(token)]);
      return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(all));
    });
    return { found, decoded };
  },
  sampling({ logits, ways }) {
    return { found: ways.map(([t, p]) => [...tokenDistribution(Float32Array.from(logits), t, p)]) };
  },
};

// Types a text into a field, and returns what the page then says in the element `answer`.
function typed(id, text, answer) {
  byId(id).value = text;
  byId(id).dispatchEvent(new Event("input"));
  return byId(answer).textContent;
}

// What the model of stories writes after a text if it always takes the likeliest token.
function greedy({ prompt, most }) {
  const { tokenizer, model } = shown.gpt;
  const given = [tokenizer.separator, ...tokenizer.encode(prompt)];
  const way = { temperature: 0, topP: 1, seed: 1, stop: tokenizer.separator, most };
  const steps = write(model, given, way);
  return [...steps].map((step) => step.token);
}

async function written() {
  byId("write").click();
  while (!byId("stop").disabled) await pause();
  return byId("story").textContent;
}

async function exhibits() {
  const found = {};
  found.rooms = Object.keys(shown);
  // DNA to protein.
  found.strangeGene = typed("frame", "ATGXCA", "frame-message");
  found.shortGene = typed("frame", "AT", "frame-message");
  found.openGene = typed("frame", "ATGGCA", "frame-message");
  typed("frame", "augaaa gguuga", "frame-message");
  found.gene = { message: byId("frame-message").textContent, protein: byId("protein").textContent };
  found.cells = byId("frame-map").querySelectorAll(".cell").length;
  // What a letter matters.
  found.strangeDNA = typed("sequence", "ACGTZ", "sequence-message");
  found.noDNA = typed("sequence", " ", "sequence-message");
  found.longDNA = typed("sequence", "A".repeat(25), "sequence-message");
  typed("sequence", "ACGTNACGTACGTACGTACGTACG", "sequence-message");
  while (!byId("sequence-told").textContent.startsWith("What")) await pause();
  found.effects = shown.dna.effects;
  document.querySelector("#dna .example").click();
  found.example = byId("sequence").value;
  found.label = byId("sequence-label").textContent;
  // It writes.
  byId("prompt").value = "Once upon a time";
  byId("seed").value = 7;
  found.text = await written();
  found.again = await written();
  byId("story").dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
  const fourth = byId("story").querySelectorAll(".written")[3];
  fourth.dispatchEvent(new Event("pointerover", { bubbles: true }));
  const shares = (one) => Number(one.style.getPropertyValue("--share"));
  found.marked = [...byId("story").children].map(shares);
  byId("seed").value = 1.5;
  byId("write").click();
  found.strangeSeed = byId("prompt-message").textContent;
  // By hand.
  const before = byId("picture-classes").textContent;
  document.querySelector("[data-push=left]").click();
  found.pushed = byId("picture-classes").textContent !== before;
  byId("picture-clear").click();
  found.black = shown.mlp.pixels.every((value) => value === 0);
  document.querySelector("#pictures button").click();
  found.image = [...shown.mlp.pixels];
  found.told = byId("picture-told").textContent;
  return found;
}

async function checks() {
  const found = { computed: {}, greedy: greedy(CASES.greedy) };
  for (const [name, one] of Object.entries(CASES.models))
    found.computed[name] = COMPUTE[one.kind](one);
  found.exhibits = await exhibits();
  // A model that begins no text by itself, in the place of the other.
  shown.gpt.tokenizer = tokenizerOf({ kind: "characters", characters: "abc", separator: false });
  byId("seed").value = 1;
  byId("prompt").value = "";
  byId("write").click();
  found.noPrompt = byId("prompt-message").textContent;
  byId("prompt").value = "abz";
  byId("write").click();
  found.strangePrompt = byId("prompt-message").textContent;
  found.overflow = document.documentElement.scrollWidth - innerWidth;
  found.loaded = performance.getEntriesByType("resource").map((entry) => entry.name);
  return found;
}
