"""Language: texts, tokenizers, Story-GPT, samples."""
