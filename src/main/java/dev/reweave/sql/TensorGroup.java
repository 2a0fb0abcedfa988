package dev.reweave.sql;

import org.apache.spark.sql.connector.read.InputPartition;

/**
 * The tensors of one task: numbers {@code [from, to)} of one checkpoint's.
 *
 * @param source number of the checkpoint
 */
record TensorGroup(int source, int from, int to) implements InputPartition {}
