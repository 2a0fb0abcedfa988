/**
 * The record of what was done, as it is written beside a result and read again: sources, options,
 * checksums, figures. Way in: {@link dev.reweave.manifest.Manifest}.
 */
package dev.reweave.manifest;
