"""`make bench BENCH=insights` measures what a model finds in conversations whose findings are known.

Start at `__main__`. `conversations` reads the conversations of the folders beside it, `endpoints` has the models that
can be asked, `deriving` derives by the product's own code, `scoring` compares with what is known.
"""
