package dev.reweave.checkpoint.deepspeed;

import java.io.Serializable;

/** What was read of one rank's file. */
sealed interface RankFacts extends Serializable
    permits ModelStates, FrozenPieces, OptimizerStates, PlainStates {}
