use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Barrier, mpsc};
use std::thread;

use super::*;

const TABLES: Tables = Tables { schema: "CREATE TABLE IF NOT EXISTS word (text TEXT NOT NULL UNIQUE)", evict: |_, _| Ok(0) };

async fn count(store: &Store) -> i64 {
    store.read(|connection| connection.query_row("SELECT count(*) FROM word", [], |row| row.get(0))).await.unwrap()
}

#[tokio::test]
async fn a_failed_write_takes_nothing_else_with_it() {
    let store = Store::open(&Place::Memory, &[TABLES]).unwrap();
    let add = |word: &'static str| store.write(move |tx| tx.execute("INSERT INTO word VALUES (?1)", [word]));
    let (a, b, c) = tokio::join!(add("one"), add("one"), add("two"));
    assert!(a.is_ok() && b.is_err() && c.is_ok());
    assert_eq!(count(&store).await, 2);

    // Alone in its transaction, it keeps its own error, and nothing of what it had done before.
    let half = store
        .write(|tx| tx.execute("INSERT INTO word VALUES ('three')", []).and(tx.execute("INSERT INTO word VALUES ('one')", [])));
    assert!(matches!(half.await, Err(StoreError::Sqlite(_))));
    assert_eq!((count(&store).await, store.losses()), (2, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_and_writers_do_not_fail_each_other() {
    let folder = tempfile::tempdir().unwrap();
    for place in [Place::Memory, Place::File(folder.path().join("store.db"))] {
        let store = Store::open(&place, &[TABLES]).unwrap();
        let tasks = (0..200).map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                store.write(move |tx| tx.execute("INSERT INTO word VALUES (?1)", [number])).await.unwrap();
                // Whoever wrote sees it at once, whatever the others do.
                let seen = store.read(move |connection| {
                    connection
                        .query_row("SELECT count(*) FROM word WHERE text = ?1", [number.to_string()], |row| row.get::<_, i64>(0))
                });
                assert_eq!(seen.await.unwrap(), 1);
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        assert_eq!(count(&store).await, 200);
    }
}

#[tokio::test]
async fn a_file_keeps_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("deep/store ü#?.db"));
    let store = Store::open(&place, &[TABLES]).unwrap();
    store.write(|tx| tx.execute("INSERT INTO word VALUES ('kept')", [])).await.unwrap();
    drop(store);
    let again = Store::open(&place, &[TABLES]).unwrap();
    assert_eq!(count(&again).await, 1);
}

#[tokio::test]
async fn closing_waits_for_the_writes_and_refuses_later_ones() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = Store::open(&Place::File(path.clone()), &[TABLES]).unwrap();
    store.write(|tx| tx.execute("INSERT INTO word VALUES ('kept')", [])).await.unwrap();
    assert_eq!(count(&store).await, 1);
    store.close().await;
    assert!(!folder.path().join("store.db-wal").exists(), "the log is folded in");
    let late = store.write(|tx| tx.execute("INSERT INTO word VALUES ('late')", [])).await;
    assert!(matches!(late, Err(StoreError::Closed)));
}

#[tokio::test]
async fn freed_pages_are_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&Place::File(folder.path().join("store.db")), &[TABLES]).unwrap();
    store.write(|tx| tx.execute("INSERT INTO word VALUES (hex(randomblob(1000000)))", [])).await.unwrap();
    let full = store.bytes().await.unwrap();
    store.write(|tx| tx.execute("DELETE FROM word", [])).await.unwrap();
    store.shrink(10_000).await.unwrap();
    let pages: i64 = store.read(|connection| connection.pragma_query_value(None, "page_count", |row| row.get(0))).await.unwrap();
    assert!(full > 2_000_000 && pages < 20, "{full} bytes, then {pages} pages");
}

#[tokio::test]
async fn a_memo_is_one_per_type_and_store() {
    let store = Store::open(&Place::Memory, &[TABLES]).unwrap();
    store.memo::<AtomicU64>().store(7, Ordering::Relaxed);
    assert_eq!(store.memo::<AtomicU64>().load(Ordering::Relaxed), 7);
    let other = Store::open(&Place::Memory, &[TABLES]).unwrap();
    assert_eq!(other.memo::<AtomicU64>().load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_file_of_another_layout_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let refused = Store::open(&Place::File(path), &[TABLES]).unwrap_err();
    assert!(refused.to_string().contains("layout 99"), "{refused}");
}

/// Runs the work on as many threads as there are numbers, all of which begin together.
fn together(count: i64, work: impl Fn(i64) + Sync) {
    let start = Barrier::new(usize::try_from(count).unwrap());
    thread::scope(|scope| {
        for number in 0..count {
            let (start, work) = (&start, &work);
            scope.spawn(move || {
                start.wait();
                work(number);
            });
        }
    });
}

/// Waits for one future on this thread.
fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn writers_at_once_and_writers_that_queue_do_not_fail_each_other() {
    let folder = tempfile::tempdir().unwrap();
    for place in [Place::Memory, Place::File(folder.path().join("store.db"))] {
        let store = Store::open(&place, &[TABLES]).unwrap();
        together(8, |writer| {
            for number in 0..50 {
                let word = writer * 1000 + number;
                let insert = move |tx: &Connection| tx.execute("INSERT INTO word VALUES (?1)", [word]);
                // Half of them queue in any case; of the others, those do that find the connection taken.
                let written = if writer % 2 == 0 { wait(store.write(insert)) } else { wait(store.write_aside(insert)) };
                assert_eq!(written.unwrap(), 1);
                // The same word again: refused, and nobody else's loss.
                let again = if writer % 2 == 0 { wait(store.write_aside(insert)) } else { wait(store.write(insert)) };
                assert!(matches!(again, Err(StoreError::Sqlite(_))));
                let seen = "SELECT count(*) FROM word WHERE text = ?1";
                let seen = store.look(|connection| connection.query_row(seen, [word.to_string()], |row| row.get::<_, i64>(0)));
                assert_eq!(seen.unwrap(), 1);
            }
        });
        assert_eq!((wait(count(&store)), store.losses()), (400, 0));
    }
}

#[test]
fn a_write_is_done_on_the_thread_that_asks_when_nobody_else_writes() {
    let store = Store::open(&Place::Memory, &[TABLES]).unwrap();
    let here = thread::current().id();
    let of = |_: &Connection| Ok(thread::current().id());
    assert_eq!(wait(store.write(of)).unwrap(), here);
    assert_ne!(wait(store.write_aside(of)).unwrap(), here);
    assert_eq!(store.look(of).unwrap(), here);
    assert_ne!(wait(store.read(of)).unwrap(), here);

    // While one writes, the others queue, and are done in the order in which they came.
    let (begun, free) = (mpsc::channel(), mpsc::channel::<()>());
    let first = store.clone();
    let first = thread::spawn(move || {
        wait(first.write(move |tx| {
            begun.0.send(()).unwrap();
            free.1.recv().unwrap();
            tx.execute("INSERT INTO word VALUES ('one')", [])
        }))
    });
    begun.1.recv().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let add = |word: &'static str| {
            store.write(move |tx| {
                tx.execute("INSERT INTO word VALUES (?1)", [word])?;
                Ok((tx.last_insert_rowid(), thread::current().id()))
            })
        };
        let (two, three, ()) = tokio::join!(add("two"), add("three"), async { free.0.send(()).unwrap() });
        let (two, three) = (two.unwrap(), three.unwrap());
        assert_eq!((two.0, three.0), (2, 3));
        assert!(two.1 != here && three.1 != here);
        // Once all is done, the next one need not queue.
        assert_eq!(add("four").await.unwrap(), (4, here));
    });
    assert!(first.join().unwrap().is_ok());
}

#[test]
fn closing_waits_for_a_write_at_once_and_for_those_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("store.db"));
    let store = Store::open(&place, &[TABLES]).unwrap();
    let written = AtomicI64::new(0);
    together(5, |writer| {
        if writer == 0 {
            wait(store.close());
            return;
        }
        for number in 0..200 {
            let word = writer * 1000 + number;
            match wait(store.write(move |tx| tx.execute("INSERT INTO word VALUES (?1)", [word]))) {
                Ok(_) => written.fetch_add(1, Ordering::Relaxed),
                Err(StoreError::Closed) => return,
                Err(other) => panic!("{other}"),
            };
        }
    });
    assert!(!folder.path().join("store.db-wal").exists(), "the log is folded in");
    assert!(matches!(wait(store.write(|_| Ok(()))), Err(StoreError::Closed)));
    assert!(matches!(wait(store.write_aside(|_| Ok(()))), Err(StoreError::Closed)));
    assert!(matches!(store.look(|_| Ok(())), Err(StoreError::Closed)));
    // What was acknowledged is there, and nothing else.
    let again = Store::open(&place, &[TABLES]).unwrap();
    assert_eq!(wait(count(&again)), written.into_inner());
}

#[test]
fn a_write_that_panics_takes_nothing_else_with_it() {
    let store = Store::open(&Place::Memory, &[TABLES]).unwrap();
    let add = |word: &'static str| move |tx: &Connection| tx.execute("INSERT INTO word VALUES (?1)", [word]);
    let breaks = |tx: &Connection| -> rusqlite::Result<()> {
        tx.execute("INSERT INTO word VALUES ('half')", [])?;
        std::panic::resume_unwind(Box::new("as it would"))
    };
    assert!(matches!(wait(store.write(breaks)), Err(StoreError::Panicked)));
    assert!(matches!(wait(store.write_aside(breaks)), Err(StoreError::Panicked)));
    // What others remember of the store may be wrong now.
    assert_eq!(store.losses(), 2);

    let grouped = async { tokio::join!(store.write_aside(add("one")), store.write_aside(breaks), store.write_aside(add("two"))) };
    let (one, broken, two) = wait(grouped);
    assert!(one.is_ok() && two.is_ok() && matches!(broken, Err(StoreError::Panicked)));
    assert!(wait(store.write(add("three"))).is_ok());
    assert_eq!((wait(count(&store)), store.losses()), (3, 3));
}

#[test]
fn a_long_log_is_folded_in_behind_the_writers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = Store::open(&Place::File(path.clone()), &[TABLES]).unwrap();
    // 40 MB, in pieces of one: without folding the log would have it all.
    for _ in 0..40 {
        wait(store.write(|tx| tx.execute("INSERT INTO word VALUES (hex(randomblob(500000)))", []))).unwrap();
    }
    wait(store.write_aside(|_| Ok(()))).unwrap();
    let length = |path: &Path| std::fs::metadata(path).unwrap().len();
    assert!(length(&path) > 10 << 20, "{}", length(&path));
    assert!(length(&folder.path().join("store.db-wal")) < 30 << 20);
}
