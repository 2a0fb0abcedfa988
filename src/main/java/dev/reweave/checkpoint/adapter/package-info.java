/**
 * Takes a model apart into which PEFT has put an adapter, gives both parts the names that libraries
 * load them by, or makes one model of both. Knows checkpoints, not who reads them; the way in is
 * {@link dev.reweave.checkpoint.adapter.AdapterParts}.
 */
package dev.reweave.checkpoint.adapter;
