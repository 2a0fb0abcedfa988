/**
 * From a checkpoint, a mapping and a base to the model that is planned. It reads metadata, and no
 * byte of weights. Way in: {@link dev.reweave.plan.prepare.ModelPlanner}.
 */
package dev.reweave.plan.prepare;
