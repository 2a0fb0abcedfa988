/**
 * State dicts in torch files of any name: a model in one file, by one of its keys if there are
 * several. Way in: {@link dev.reweave.checkpoint.statedict.StateDictFormat}.
 */
package dev.reweave.checkpoint.statedict;
