/**
 * What {@code torch.distributed.checkpoint} saves: {@link dev.reweave.checkpoint.dcp.DcpFormat} is
 * the way in.
 */
package dev.reweave.checkpoint.dcp;
