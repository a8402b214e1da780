"""Words: what stands in formulas as a name, what stands in prose."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


FUNCTIONS = words("""
    sigmoid sigm sig tanh softmax diag exp log ln sqrt relu sin cos max min sum prod outer concat concatenate norm abs sign mean dot
    transpose tr trace hadamard elu gelu silu swish softplus sech cosh sinh logistic lim det vec inv grad clip argmax erf
""")
GREEK = words("""
    alpha beta gamma delta epsilon varepsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi varphi chi psi omega
    Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega nabla partial
""")
SIDE_BY_SIDE = words("Wx Uh Wh Ux Vh Vs Ws ht ct xt zt rt ft ot gt")  # a product, or an index without its mark
PROSE = words("""
    and or if where when with for from the is are so then that this thus hence we you in of to by on at as it its case see let note do did due Do
""")
SHORT = PROSE | words("""
    a I an be no not all any one two can has was but our use via per set get may yes new old out now how why who e.g i.e etc
""")
WITH_D = words("""
    dark data date dead decay deep define defined degree delay dense denote denotes depth derivative derivatives detail diag diagonal diff
    difference different differential digit dim dimension dimensions direct direction discount display dist distance div divide does domain
    done dot double down drop dropout dual due dummy dump during dynamic dynamics
""")  # words that begin with a d, and are no gradients in a program: ``dout``, ``dscore``, ``dtanh``
TAKES_ONE = words(r"""
    \hat \tilde \bar \vec \dot \ddot \widehat \widetilde \overline \overrightarrow \overleftarrow \mathbf \mathrm \mathit \mathcal \mathbb \boldsymbol \bm
    \sqrt \text \frac \dfrac \tfrac
""")  # commands whose argument may stand without braces
