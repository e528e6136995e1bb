"""Training of the scope model: relations written by hand, public train sets, negatives, loop, artefact.

Nothing here runs when a question is answered; ``scripts/train_scope.py`` is the only caller. Torch is imported
inside functions.
"""
