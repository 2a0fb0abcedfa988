/**
 * Rules that rename, split, join, stack and drop tensors between naming schemes, as JSON says them.
 * Way in: {@link dev.reweave.target.mapping.Mapping}.
 */
package dev.reweave.target.mapping;
