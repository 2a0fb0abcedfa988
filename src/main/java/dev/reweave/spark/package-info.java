/**
 * Sessions, tasks, shared values and counters: with {@code sql} the only room that knows Spark. It
 * does not know what a conversion is for. Way in: {@link dev.reweave.spark.Cluster}.
 */
package dev.reweave.spark;
