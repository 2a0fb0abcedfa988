/**
 * Files of {@code torch.save}: zip and pickle, read without running any code of them. They know
 * bytes, not who wrote them. Way in: {@link dev.reweave.format.pytorch.TorchFile}.
 */
package dev.reweave.format.pytorch;
