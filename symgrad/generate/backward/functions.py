"""How generated code spells activations: as a line with ``out=``, as a call on whole arrays, and the functions that come with the module."""

APPLY = {  # activation → the lines that put it into `out`, of the operand `a`
    "tanh": "np.tanh({a}, out={out})",
    "exp": "np.exp({a}, out={out})",
    "log": "np.log({a}, out={out})",
    "abs": "np.abs({a}, out={out})",
    "sign": "np.sign({a}, out={out})",
    "relu": "np.maximum({a}, 0, out={out})",
    "softplus": "np.logaddexp(0, {a}, out={out})",
    "step": "np.greater({a}, 0, out={out})",
}
WHOLE = {"sigmoid": "sigmoid_of", "tanh": "np.tanh", "exp": "np.exp", "log": "np.log", "abs": "np.abs", "sign": "np.sign", "relu": "relu_of", "sqrt": "np.sqrt",
         "softplus": "softplus_of", "step": "step_of"}  # fmt: skip
HELPERS = {
    "sigmoid": '''\
def sigmoid(a, out):
    """out ← σ(a) = 1/(1 + e^-a); a is overwritten.  Where e^-a overflows to ∞, σ(a) is 0."""
    np.negative(a, out=a)
    np.exp(a, out=a)
    a += 1
    return np.reciprocal(a, out=out)
''',
    "quiet_sigmoid": 'def quiet_sigmoid(a, out):\n    with np.errstate(over="ignore"):\n        return sigmoid(a, out)\n',
    "sigmoid_of": "def sigmoid_of(a):\n    return quiet_sigmoid(np.array(a), out=np.empty_like(a))\n",
    "relu_of": "def relu_of(a):\n    return np.maximum(a, 0)\n",
    "softplus_of": "def softplus_of(a):\n    return np.logaddexp(0, a)\n",
    "step_of": "def step_of(a):\n    return (a > 0).astype(a.dtype)\n",
}
