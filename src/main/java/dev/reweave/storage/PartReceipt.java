package dev.reweave.storage;

import java.io.Serializable;

/**
 * What a store gave for a part, to be shown when the file is put together.
 *
 * @param number of the part, from 1
 * @param token the store's own, in Base64; empty where a store gives none
 */
public record PartReceipt(int number, String token) implements Serializable {}
