/**
 * The door to file systems, and the only room that knows Hadoop's: listing, ranged reads, output
 * that becomes visible at once. It knows nothing of what is in the files. Way in: {@link
 * dev.reweave.storage.Stores}.
 */
package dev.reweave.storage;
