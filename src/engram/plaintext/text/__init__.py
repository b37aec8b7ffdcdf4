"""Reading text without a model: words, sentences, dates, names, relations and injections."""
