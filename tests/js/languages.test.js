// Every translation is complete, and a page gets the one of its `lang`.
import assert from "node:assert/strict";
import { test } from "node:test";

import { languages, loadTexts } from "../../static/languages/index.js";
import { messages } from "../../static/messages.js";
// These add their texts.
import "../../static/ui/choice/limits.js";
import "../../static/ui/choice/same-content.js";
import "../../static/ui/list/details.js";
import "../../static/ui/list/many.js";
import "../../static/ui/list/reorder.js";
import "../../static/ui/list/unfinished-list.js";
import "../../static/ui/choice/type-names.js";

const NAMED = [
  "ar", "zh-Hans", "zh-Hant", "cs", "da", "nl", "fi", "fr", "de", "el", "he", "hi", "hu", "id", "it", "ja", "ko", "nb", "fa",
  "pl", "pt", "pt-PT", "ro", "ru", "es", "sv", "th", "tr", "uk", "vi",
];

/** Returns the placeholders of a text, of which a plural form may leave out the number itself. */
function placeholders(text) {
  return [...new Set(text.match(/\{\w+\}/g))].sort();
}

test("all languages are there", () => assert.deepEqual([...languages].sort(), [...NAMED].sort()));

for (const language of languages) {
  test(`the texts in ${language} are complete`, async () => {
    const texts = await loadTexts(language);
    assert.deepEqual(Object.keys(texts).sort(), Object.keys(messages).sort());
    const { pluralCategories } = new Intl.PluralRules(language).resolvedOptions();
    for (const [key, text] of Object.entries(texts)) {
      const english = messages[key];
      if (typeof english === "string") {
        assert.deepEqual(placeholders(text), placeholders(english), key);
        continue;
      }
      assert.deepEqual(Object.keys(text).sort(), [...pluralCategories].sort(), key);
      for (const [category, form] of Object.entries(text)) {
        const isNamed = ["zero", "one", "two"].includes(category); // the word says the number
        if (form.includes("{count}") || !isNamed) assert.deepEqual(placeholders(form), ["{count}"], `${key} ${category}`);
      }
    }
  });

  test(`the texts in ${language} are translated`, async () => {
    const texts = await loadTexts(language);
    const same = Object.keys(texts).filter((key) => texts[key] === messages[key]);
    // Numbers, words that languages share, and the comma.
    assert.ok(same.every((key) => ["comma", "details", "sending", "video", "audio", "image"].includes(key)), same.join());
  });
}

for (const [tag, expected] of [
  ["de-AT", "de"], ["no", "nb"], ["nn-NO", "nb"], ["pt", "pt"], ["pt-BR", "pt"], ["pt-AO", "pt-PT"], ["pt-PT", "pt-PT"],
  ["zh", "zh-Hans"], ["zh-SG", "zh-Hans"], ["zh-TW", "zh-Hant"], ["zh-HK", "zh-Hant"], ["zh-Hant-MO", "zh-Hant"], ["he-IL", "he"],
  ["fil", undefined], ["ca-ES", undefined],
]) {
  test(`a page in ${tag} gets ${expected ?? "English"}`, async () => {
    assert.deepEqual(await loadTexts(tag), expected ? await loadTexts(expected) : {});
  });
}
