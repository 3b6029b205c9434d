"""Text: sentences, words, dates and quantities of English news, read literally."""
