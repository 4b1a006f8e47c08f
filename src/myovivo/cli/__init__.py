"""The command line: each command is a class of options and a call of one public function.

A setting's option is its dotted name, so that YAML, Python and the shell share one vocabulary.
Problems a user can mend come out as one line, with status 2.
"""

from .entry import main as main
