"""Studies from Python: what the commands do, in a script or a notebook.

Beside the command line in the layers: both say what is asked (``attnstudy.asking``), have it done
by the use cases, and show it with ``render``; neither knows the other.
"""
