"""The network, in torch alone: tensors in, tensors out.

Importing anything of it sets OMP_WAIT_POLICY to "passive" where it is not set: by default, idle threads of
OpenMP spin while they wait for the others. Beside other work, a network of many small steps then spends ten
times the processor seconds of its calculation (4.3 instead of 0.45 for an excerpt of 12 s) and is as much
slower. OpenMP reads the variable when torch is loaded, so that it must be set before.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
