"""How well a search finds what is relevant: queries whose answers are known, and scores of them.

A query ranks the rows of a gallery, nearest first. Of each ranking the scores see one thing only,
where the relevant rows stand in it: `at_k` scores the beginning, `whole_ranking` all of it, and
`ndcg` either, with relevance by degrees. Which rows are relevant says `relevance`; who asks whom,
`protocol`; which of two rows that are equally near comes first, `ranking`.
"""
