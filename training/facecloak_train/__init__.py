"""The offline half of FaceCloak: trains classifiers, makes perturbations, measures, exports.

    data --faces--> recipes.fit --weights--> recipes.attack --perturbation--> recipes.evaluate
                                  '--> recipes.export --> models/

Read a recipe first: each is one story from top to bottom. Three files cross to the live app and
nothing else does: an ONNX classifier, its card (inside it), and a perturbation.
"""
