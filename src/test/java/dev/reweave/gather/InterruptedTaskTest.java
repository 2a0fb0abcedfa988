package dev.reweave.gather;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.Measuring;
import dev.reweave.storage.PartRule;
import dev.reweave.storage.ReadLimit;
import dev.reweave.storage.Stores;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fault;
import dev.reweave.testing.FaultProxy;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.HadoopFiles;
import dev.reweave.testing.S3Server;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A task that is told to end while a far store answers ends, and its threads with it. */
class InterruptedTaskTest {
  private FaultProxy proxy;
  private FileSystem fs;
  private Stores stores;
  private ConversionPlan plan;

  @BeforeEach
  void start() throws IOException {
    proxy = FaultProxy.start(S3Server.shared());
    Configuration conf = new Configuration();
    proxy.configure(conf);
    fs = FileSystem.get(URI.create("s3a://" + S3Server.shared().newBucket()), conf);
    String input = HadoopFiles.copy(Fixtures.folder("z3_bf16_w2/ckpt"), fs, "/runs/ckpt");
    stores = new Stores(conf);
    plan = Converting.between(input, fs.getUri() + "/out").in(stores).prepare().plan();
  }

  @AfterEach
  void stop() throws IOException {
    fs.close();
    proxy.close();
  }

  private Optional<ReweaveException> run(Thread task, AtomicReference<ReweaveException> failure)
      throws InterruptedException {
    task.start();
    task.join();
    assertEquals(
        List.of(),
        Thread.getAllStackTraces().keySet().stream()
            .filter(thread -> thread.getName().equals("reweave-read"))
            .toList());
    return Optional.ofNullable(failure.get());
  }

  private Thread task(AtomicReference<ReweaveException> failure) {
    return new Thread(
        () -> {
          try {
            var unused =
                new ChunkTask(
                        stores,
                        plan.work(),
                        plan.chunks(PartRule.FREE).get(0),
                        List.of(),
                        ReadLimit.NONE,
                        Measuring.NOTHING,
                        "")
                    .tryOut(bytes -> {});
          } catch (ReweaveException e) {
            failure.set(e);
          }
        });
  }

  @Test
  void aTaskThatIsLeftAlone() throws InterruptedException {
    AtomicReference<ReweaveException> failure = new AtomicReference<>();

    assertEquals(Optional.empty(), run(task(failure), failure));
  }

  @Test
  void aTaskThatIsInterruptedWhileItReads() throws InterruptedException {
    AtomicReference<ReweaveException> failure = new AtomicReference<>();
    Thread task = task(failure);
    proxy.inject(
        r -> r.method().equals("GET") && r.path().endsWith("_optim_states.pt"),
        Integer.MAX_VALUE,
        Fault.meanwhile(task::interrupt));

    String message = run(task, failure).orElseThrow().getMessage();

    assertTrue(message.startsWith("cannot read (interrupted"), message);
    assertTrue(message.contains("while making bytes 0 to "), message);
  }
}
