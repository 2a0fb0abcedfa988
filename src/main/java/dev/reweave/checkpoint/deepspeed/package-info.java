/**
 * What DeepSpeed saves, and what {@code ds_to_universal.py} makes of it: {@link
 * dev.reweave.checkpoint.deepspeed.DeepSpeedFormat} is the way in; {@link
 * dev.reweave.checkpoint.deepspeed.LoneFile} tells of one file that was named by itself.
 */
package dev.reweave.checkpoint.deepspeed;
