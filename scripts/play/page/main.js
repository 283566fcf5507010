// Each exhibit that the page has.

const EXHIBITS = {
  seq2seq: TranslationExhibit,
  dna: ClassifierExhibit,
  gpt: StoriesExhibit,
  mlp: ImagesExhibit,
};
const DATA = JSON.parse(byId("data").textContent);
const shown = {};
for (const [room, data] of Object.entries(DATA)) shown[room] = new EXHIBITS[room](data);
