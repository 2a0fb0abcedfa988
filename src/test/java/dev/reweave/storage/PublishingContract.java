package dev.reweave.storage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.testing.Locations;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What every store must do so that files appear whole, or not at all. */
abstract class PublishingContract extends ReadingContract {
  @Test
  void putsAFileTogetherOutOfSightAndPublishesItWhole() throws Exception {
    byte[] content = content();
    output.prepare(content.length);
    StagedFile file = output.stage(NAME, content.length);
    assertInstanceOf(kind(), file);

    List<Part> order = new ArrayList<>(parts(content));
    Collections.shuffle(order, new Random(1));
    PartWriter writer = new PartWriter(stores, file, content);
    List<PartReceipt> receipts = new ArrayList<>(writer.write(order));
    // Tasks that Spark runs again: the last receipt of a part is the one that is shown.
    for (PartReceipt again : writer.write(order.subList(0, (order.size() + 1) / 2))) {
      receipts.removeIf(receipt -> receipt.number() == again.number());
      receipts.add(again);
    }
    assertEquals(List.of(), output.names());
    output.assemble(file, receipts);
    assertEquals(List.of(), output.names());
    assertEquals(Optional.empty(), output.file(NAME));
    output.publish(file, receipts);

    assertPublished(content);
    clear(output);
    assertEquals(List.of(NAME), leftovers());
    assertPublished(content);
  }

  @Test
  void twinsOfATaskDoNotMeet() throws Exception {
    byte[] content = bytes(1000);
    Part part = new Part(1, 0, content.length);
    output.prepare(content.length);
    for (int round = 0; round < ROUNDS; round++) {
      StagedFile file = output.stage(NAME, content.length);
      List<PartReceipt> twins = twins(new PartWriter(stores, file, content), part);
      List<PartReceipt> receipts = List.of(twins.get(round % 2));
      output.assemble(file, receipts);
      output.publish(file, receipts);
      assertPublished(content);
    }
  }

  List<PartReceipt> twins(PartWriter writer, Part part) throws Exception {
    return writer.writeTwins(part);
  }

  @Test
  void aPartThatIsNotCommittedDoesNotCount() throws Exception {
    byte[] content = content();
    output.prepare(content.length);
    StagedFile file = output.stage(NAME, content.length);
    PartWriter writer = new PartWriter(stores, file, content);
    List<Part> parts = parts(content);

    writer.writeInVain(parts.get(0));
    List<PartReceipt> receipts = writer.write(parts);
    // In place, an attempt that fails after another one did its work would spoil it. Only a task
    // that Spark gave up could do so, and tasks of one part all write the same bytes.
    if (kind() != InPlaceFile.class) {
      writer.writeInVain(parts.get(0));
    }
    output.assemble(file, receipts);
    output.publish(file, receipts);

    assertPublished(content);
  }

  @Test
  void publicationReplacesAnOlderFile() throws Exception {
    output.publish(NAME, bytes(77));
    byte[] content = content();

    Complete file = complete(output, content);
    assertArrayEquals(bytes(77), read());
    output.publish(file.file(), file.receipts());

    assertPublished(content);
  }

  @Test
  void publicationMayBeRepeatedByALaterProcess() throws Exception {
    byte[] content = content();
    Complete file = complete(output, content);
    output.publish(file.file(), file.receipts());

    OutputFolder later = new Stores(configuration()).outputFolder(output.address());
    later.publish(later.stagedBefore(NAME, content.length, file.file().token()), file.receipts());

    assertPublished(content);
  }

  @Test
  void aLaterProcessPublishesWhatAnEarlierOneAssembled() throws Exception {
    byte[] content = content();
    Complete file = complete(output, content);

    OutputFolder later = new Stores(configuration()).outputFolder(output.address());
    later.publish(later.stagedBefore(NAME, content.length, file.file().token()), file.receipts());

    assertPublished(content);
  }

  @Test
  void publicationOfWhatIsNotThereFails() {
    byte[] content = bytes(100);
    output.prepare(content.length);
    StagedFile never = output.stage(NAME, content.length);
    clear(output);

    assertThrows(
        ReweaveException.class, () -> output.publish(never, List.of(new PartReceipt(1, ""))));
    assertEquals(List.of(), output.names());
  }

  @Test
  void anAbortLeavesNothing() throws Exception {
    byte[] content = content();
    output.prepare(content.length);
    StagedFile half = output.stage(NAME, content.length);
    PartWriter writer = new PartWriter(stores, half, content);
    List<Part> parts = parts(content);
    assertEquals(
        (parts.size() + 1) / 2, writer.write(parts.subList(0, (parts.size() + 1) / 2)).size());
    writer.writeInVain(parts.get(parts.size() - 1));
    half.abort(stores);
    assertEquals(List.of(), leftovers());

    complete(output, content).file().abort(stores);
    assertEquals(List.of(), output.names());
    assertEquals(List.of(), leftovers());
  }

  @Test
  void anAbortSparesWhatWasPublished() throws Exception {
    byte[] content = content();
    Complete file = complete(output, content);
    output.publish(file.file(), file.receipts());

    file.file().abort(stores);

    assertPublished(content);
  }

  @Test
  void clearingRemovesAllThatIsStaged() throws Exception {
    byte[] content = content();
    output.publish("config.json", bytes(5));
    Complete assembled = complete(output, content);
    StagedFile begun = output.stage("other", content.length);
    assertEquals(
        1, new PartWriter(stores, begun, content).write(parts(content).subList(0, 1)).size());
    output.writeState("finished/one.json", bytes(5));

    clear(output);

    assertEquals(List.of("config.json"), leftovers());
    assertEquals(Optional.empty(), output.readState("finished/one.json"));
    clear(output);
    assertThrows(
        ReweaveException.class, () -> output.publish(assembled.file(), assembled.receipts()));
    assertEquals(List.of("config.json"), output.names());
  }

  @Test
  void clearingSparesOtherFolders() throws Exception {
    byte[] content = content();
    OutputFolder longer = stores.outputFolder(Locations.of(output.address() + "-2"));
    OutputFolder inside = stores.outputFolder(Locations.of(in("deep")));
    Complete neighbour = complete(longer, content);
    complete(output, content);

    clear(output);
    clear(inside);

    longer.publish(neighbour.file(), neighbour.receipts());
    assertEquals(List.of(NAME), longer.names());
    assertEquals(List.of(), leftovers());
  }

  @Test
  void keepsState() {
    assertEquals(Optional.empty(), output.readState("plan.json"));
    for (int length : new int[] {100, 20, 0, 3000}) {
      output.writeState("plan.json", bytes(length));
      output.writeState("finished/a b.json", bytes(length + 1));
      OutputFolder later = new Stores(configuration()).outputFolder(output.address());
      assertArrayEquals(bytes(length), later.readState("plan.json").orElseThrow());
      assertArrayEquals(bytes(length + 1), later.readState("finished/a b.json").orElseThrow());
    }
    assertEquals(List.of(), output.names());
  }

  @Test
  void publishesAndRemovesSmallFiles() throws IOException {
    output.publish("index.json", bytes(1000));
    output.publish("index.json", bytes(30));
    output.publish("config.json", bytes(40));
    assertEquals(List.of("config.json", "index.json"), output.names());
    assertEquals(List.of("config.json", "index.json"), leftovers());
    assertArrayEquals(bytes(30), stores.readAll(output.file("index.json").orElseThrow(), 100));

    output.remove("index.json");
    output.remove("index.json");
    assertEquals(List.of("config.json"), output.names());
  }

  @Test
  void removesAFolderOnlyIfItIsEmpty() {
    output.removeIfEmpty();
    assertFalse(output.exists());
    assertEquals(List.of(), output.names());

    output.publish("config.json", bytes(4));
    clear(output);
    output.removeIfEmpty();
    assertEquals(List.of("config.json"), output.names());

    output.remove("config.json");
    output.removeIfEmpty();
    assertFalse(output.exists());
  }

  @Test
  void aFileIsNoOutputFolder() throws IOException {
    InputFile file = put("file", bytes(3));

    ReweaveException refused =
        assertThrows(
            ReweaveException.class, () -> stores.outputFolder(Locations.of(file.uri())).content());

    assertTrue(refused.getMessage().contains("the output is a file"), refused.getMessage());
    assertArrayEquals(bytes(3), stores.readAll(file, 10));
  }

  /** Gives up what this process began, and all that is out of sight. */
  static void clear(OutputFolder output) {
    assertEquals(Optional.empty(), output.abortUploads(List.of()).failure());
    output.finish();
  }
}
