/**
 * What will be made, file by file and chunk by chunk: a pure function of names, types and shapes.
 * It touches no file. Way in: {@link dev.reweave.plan.Planner}.
 */
package dev.reweave.plan;
