/**
 * What people and programs read of a plan, a checkpoint, a conversion or a comparison: text,
 * tables, JSON. Way in: {@link dev.reweave.look.report.Summary}.
 */
package dev.reweave.look.report;
