"""The network, in torch alone: tensors in, tensors out."""
