/**
 * The model folder that a result shall look like: its components, configs and weights. It knows no
 * checkpoint. Way in: {@link dev.reweave.target.base.BaseFolder}.
 */
package dev.reweave.target.base;
