/**
 * Checkpoints as tables of Spark SQL, and the catalog of what was converted. Way in: {@link
 * dev.reweave.sql.ReweaveSource}.
 */
package dev.reweave.sql;
