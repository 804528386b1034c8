"""Sentiment: classify texts, say how sure the answer is and which words made it."""
