//! What is known of datasets and columns, remembered so that a batch need not ask the store.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, params};

use super::event::ColumnType;

/// How many columns a dataset may have; values of further ones are kept, but get no entry of their own.
const MAX_COLUMNS: usize = 10_000;
/// How many datasets there may be.
const MAX_DATASETS: usize = 1_000;
/// A column's time is written anew only when it has moved by this much, so that a stream of small batches does not
/// rewrite thirty rows each. What is read from memory is exact.
const STALE_MS: i64 = 1_000;

/// A dataset and its columns.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// The row.
    pub id: i64,
    /// Its name: the service's.
    pub name: String,
    /// Its slug.
    pub slug: String,
    /// What it is about.
    pub description: String,
    /// When it was made, in Unix milliseconds.
    pub created_ms: i64,
    /// When an event last came in, in Unix milliseconds.
    pub last_written_ms: Option<i64>,
    /// The columns by key name.
    pub columns: HashMap<String, Column>,
    flushed_ms: i64,
}

/// A column of a dataset.
#[derive(Debug, Clone)]
pub struct Column {
    /// The row.
    pub id: i64,
    /// Its type.
    pub kind: ColumnType,
    /// Whether it is left out of listings in the vendor's interface.
    pub hidden: bool,
    /// What it is about.
    pub description: String,
    /// When it was made, in Unix milliseconds.
    pub created_ms: i64,
    /// When a value last came in, in Unix milliseconds.
    pub last_written_ms: Option<i64>,
    flushed_ms: i64,
}

/// What is known of all datasets and their columns, so that a batch need not ask the store.
#[derive(Debug, Default)]
pub struct Ledger {
    state: Mutex<Option<State>>,
}

/// The datasets as of one moment.
#[derive(Debug, Clone, Default)]
pub struct State {
    losses: u64,
    /// By slug.
    pub datasets: HashMap<String, Dataset>,
}

/// Too many datasets.
pub const FULL: &str = "too many datasets";

impl Ledger {
    /// Changes the datasets within a write. When it fails, what was remembered is dropped with what was written.
    ///
    /// # Errors
    /// Whatever `change` returns.
    pub fn change<T>(
        &self,
        connection: &Connection,
        losses: u64,
        change: impl FnOnce(&mut State) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let mut held = self.lock();
        let mut state = match held.take() {
            Some(state) if state.losses == losses => state,
            _ => State::load(connection, losses)?,
        };
        let changed = change(&mut state)?;
        *held = Some(state);
        Ok(changed)
    }

    /// Looks at the datasets.
    ///
    /// # Errors
    /// When they have to be read first and cannot be.
    pub fn look<T>(&self, connection: &Connection, losses: u64, look: impl FnOnce(&State) -> T) -> rusqlite::Result<T> {
        if let Some(state) = self.lock().as_ref().filter(|state| state.losses == losses) {
            return Ok(look(state));
        }
        // Not kept: a reader does not see what is written at this moment.
        Ok(look(&State::load(connection, losses)?))
    }

    fn lock(&self) -> MutexGuard<'_, Option<State>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn load(connection: &Connection, losses: u64) -> rusqlite::Result<Self> {
        let mut by_id = HashMap::new();
        let mut statement =
            connection.prepare("SELECT id, name, slug, description, created_ms, last_written_ms FROM hny_dataset")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let last_written_ms: Option<i64> = row.get(5)?;
            let dataset = Dataset {
                id: row.get(0)?,
                name: row.get(1)?,
                slug: row.get(2)?,
                description: row.get(3)?,
                created_ms: row.get(4)?,
                last_written_ms,
                columns: HashMap::new(),
                flushed_ms: last_written_ms.unwrap_or(0),
            };
            by_id.insert(dataset.id, dataset);
        }
        let mut statement = connection
            .prepare("SELECT id, dataset, key_name, type, hidden, description, created_ms, last_written_ms FROM hny_column")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let Some(dataset) = by_id.get_mut(&row.get::<_, i64>(1)?) else { continue };
            let last_written_ms: Option<i64> = row.get(7)?;
            let column = Column {
                id: row.get(0)?,
                kind: ColumnType::parse(&row.get::<_, String>(3)?).unwrap_or(ColumnType::String),
                hidden: row.get(4)?,
                description: row.get(5)?,
                created_ms: row.get(6)?,
                last_written_ms,
                flushed_ms: last_written_ms.unwrap_or(0),
            };
            dataset.columns.insert(row.get(2)?, column);
        }
        Ok(Self { losses, datasets: by_id.into_values().map(|dataset| (dataset.slug.clone(), dataset)).collect() })
    }

    /// The dataset of that name, made where there is none.
    ///
    /// # Errors
    /// When the store refuses, or there are too many ([`FULL`]).
    pub fn dataset(&mut self, connection: &Connection, name: &str, now_ms: i64) -> rusqlite::Result<&mut Dataset> {
        let slug = super::event::slug(name);
        if !self.datasets.contains_key(&slug) {
            if self.datasets.len() >= MAX_DATASETS {
                return Err(rusqlite::Error::InvalidParameterName(String::from(FULL)));
            }
            connection
                .prepare_cached("INSERT INTO hny_dataset (name, slug, description, created_ms) VALUES (?1, ?2, '', ?3)")?
                .execute(params![name, slug, now_ms])?;
            let dataset = Dataset {
                id: connection.last_insert_rowid(),
                name: name.to_owned(),
                slug: slug.clone(),
                description: String::new(),
                created_ms: now_ms,
                last_written_ms: None,
                columns: HashMap::new(),
                flushed_ms: 0,
            };
            self.datasets.insert(slug.clone(), dataset);
        }
        self.datasets.get_mut(&slug).ok_or(rusqlite::Error::QueryReturnedNoRows)
    }
}

impl Dataset {
    /// Notes that an event came in with values in these columns.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn note<'a>(
        &mut self,
        connection: &Connection,
        columns: impl IntoIterator<Item = (&'a str, ColumnType)>,
        now_ms: i64,
    ) -> rusqlite::Result<()> {
        self.last_written_ms = Some(now_ms);
        if now_ms - self.flushed_ms >= STALE_MS {
            self.flushed_ms = now_ms;
            connection
                .prepare_cached("UPDATE hny_dataset SET last_written_ms = ?2 WHERE id = ?1")?
                .execute(params![self.id, now_ms])?;
        }
        for (name, kind) in columns {
            match self.columns.get_mut(name) {
                Some(column) => {
                    column.last_written_ms = Some(now_ms);
                    if now_ms - column.flushed_ms >= STALE_MS {
                        column.flushed_ms = now_ms;
                        connection
                            .prepare_cached("UPDATE hny_column SET last_written_ms = ?2 WHERE id = ?1")?
                            .execute(params![column.id, now_ms])?;
                    }
                }
                None => {
                    self.add_column(connection, name, kind, "", false, Some(now_ms), now_ms)?;
                }
            }
        }
        Ok(())
    }

    /// Adds a column that is not there yet. Says nothing where the dataset is full.
    ///
    /// # Errors
    /// When the store refuses.
    #[expect(clippy::too_many_arguments, reason = "one argument a field of the row")]
    pub fn add_column(
        &mut self,
        connection: &Connection,
        name: &str,
        kind: ColumnType,
        description: &str,
        hidden: bool,
        last_written_ms: Option<i64>,
        now_ms: i64,
    ) -> rusqlite::Result<()> {
        if self.columns.len() >= MAX_COLUMNS {
            return Ok(());
        }
        connection
            .prepare_cached(
                "INSERT INTO hny_column (dataset, key_name, type, hidden, description, created_ms, last_written_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![self.id, name, kind.as_str(), hidden, description, now_ms, last_written_ms])?;
        let column = Column {
            id: connection.last_insert_rowid(),
            kind,
            hidden,
            description: description.to_owned(),
            created_ms: now_ms,
            last_written_ms,
            flushed_ms: last_written_ms.unwrap_or(0),
        };
        self.columns.insert(name.to_owned(), column);
        Ok(())
    }
}
