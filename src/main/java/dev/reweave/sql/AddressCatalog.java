package dev.reweave.sql;

import java.util.HashMap;
import java.util.Map;
import org.apache.spark.sql.catalyst.analysis.NoSuchTableException;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableCatalog;
import org.apache.spark.sql.connector.catalog.TableChange;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

/**
 * A catalog whose tables are named by addresses. With the setting {@code
 * spark.sql.catalog.reweave=dev.reweave.sql.AddressCatalog}, a checkpoint can be asked without
 * further words: {@code SELECT * FROM reweave.`s3a://bucket/run`}. Options of {@link
 * ReweaveSource}, as {@code spark.sql.catalog.reweave.mapping}, hold for all of them.
 */
public final class AddressCatalog implements TableCatalog {
  private String name = "";
  private Map<String, String> options = Map.of();

  /** For Spark. */
  public AddressCatalog() {}

  @Override
  public void initialize(String catalog, CaseInsensitiveStringMap settings) {
    name = catalog;
    options = settings.asCaseSensitiveMap();
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Identifier[] listTables(String[] namespace) {
    return new Identifier[0];
  }

  @Override
  public Table loadTable(Identifier table) throws NoSuchTableException {
    if (table.namespace().length > 0) {
      throw new NoSuchTableException(table);
    }
    Map<String, String> all = new HashMap<>(options);
    all.put(SourceOptions.PATH, table.name());
    return new TensorTable(SourceOptions.of(new CaseInsensitiveStringMap(all)));
  }

  @Override
  public Table alterTable(Identifier table, TableChange... changes) {
    throw new UnsupportedOperationException("checkpoints are only read");
  }

  @Override
  public boolean dropTable(Identifier table) {
    return false;
  }

  @Override
  public void renameTable(Identifier from, Identifier to) {
    throw new UnsupportedOperationException("checkpoints are only read");
  }
}
