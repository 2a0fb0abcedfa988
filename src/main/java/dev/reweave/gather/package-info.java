/**
 * Makes one chunk: reads what it is made of, casts, checks, counts and writes. It knows no Spark.
 * Way in: {@link dev.reweave.gather.ChunkTask}.
 */
package dev.reweave.gather;
