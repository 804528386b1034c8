"""Co-occurrence counts: how often words stand near each other, the input of GloVe (Pennington et al. 2014).

To read it: `config` says what is counted; `windows` finds, in a stretch of text, the contexts of each word;
`rows` adds up what belongs to one pair; `runs` keeps sorted rows on disk; `counting` puts these together for
text of any length; `counts` is the result; `building` goes from text to a saved bundle.
"""
