//! A process with all that descends from it: found again even where a descendant has left the process group.
//!
//! A group is signalled as one. A descendant that made a group or session of its own is found in `/proc` (Linux): as a
//! child of a known process, as a member of a known process's session or group, as a holder of the pipes to which the
//! service prints, or by the whole environment with which only this service was started. A process is known by its id and its time of start together, so that an id that was given anew is never hit.

use std::sync::{Mutex, PoisonError};

#[cfg(target_os = "linux")]
use std::collections::BTreeMap;

/// A started process, the leader of a group of its own, and its descendants.
#[derive(Debug)]
pub(super) struct Family {
    leader: u32,
    members: Mutex<Members>,
}

#[derive(Debug, Default)]
struct Members {
    /// Process ids with their times of start.
    #[cfg(target_os = "linux")]
    known: BTreeMap<u32, u64>,
    /// What `/proc/<pid>/fd/1` reads for a holder of our pipes.
    #[cfg(target_os = "linux")]
    pipes: Vec<String>,
    /// The pairs `NAME=value` with which the service was started.
    #[cfg(target_os = "linux")]
    marks: Vec<Vec<u8>>,
}

/// What is sent to a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// Asks to end.
    Terminate,
    /// Ends.
    Kill,
}

impl Family {
    /// The family of a process that has just been started as the leader of its own group.
    pub(super) fn new(leader: u32) -> Self {
        let family = Self { leader, members: Mutex::default() };
        #[cfg(target_os = "linux")]
        if let Some(stat) = linux::Stat::load(leader) {
            family.lock().known.insert(leader, stat.started);
        }
        family
    }

    /// When a process was started, in clock ticks since the machine was; absent where there is no such process that lives, or no
    /// `/proc`.
    pub(super) fn started(id: u32) -> Option<u64> {
        #[cfg(target_os = "linux")]
        return linux::Stat::load(id).filter(|stat| !stat.dead).map(|stat| stat.started);
        #[cfg(not(target_os = "linux"))]
        {
            let _ = id;
            None
        }
    }

    /// The leader's process id.
    pub(super) fn leader(&self) -> u32 {
        self.leader
    }

    /// Calls the group as one.
    pub(super) fn call_group(&self, call: Call) {
        #[cfg(unix)]
        if let Ok(group) = i32::try_from(self.leader) {
            let _ = nix::sys::signal::killpg(nix::unistd::Pid::from_raw(group), signal(call));
        }
        #[cfg(not(unix))]
        let _ = call;
    }

    /// Ends all that is left of the family, and says how many processes were left apart from the leader.
    pub(super) fn end(&self) -> usize {
        #[cfg(target_os = "linux")]
        return self.end_all();
        #[cfg(not(target_os = "linux"))]
        {
            self.call_group(Call::Kill);
            0
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(unix)]
fn signal(call: Call) -> nix::sys::signal::Signal {
    match call {
        Call::Terminate => nix::sys::signal::Signal::SIGTERM,
        Call::Kill => nix::sys::signal::Signal::SIGKILL,
    }
}

#[cfg(not(target_os = "linux"))]
impl Family {
    /// Where there is no `/proc`, the group is all that is known.
    pub(super) fn look(&self) {
        drop(self.lock());
    }
}

#[cfg(target_os = "linux")]
impl Family {
    /// Remembers what marks a member that nothing else tells from a stranger.
    pub(super) fn recognise(&self, pipes: Vec<String>, marks: Vec<Vec<u8>>) {
        let mut members = self.lock();
        members.pipes = pipes;
        members.marks = marks;
    }

    /// Looks for new children of known processes: cheap, done again and again while the service runs, because a child whose
    /// parent has ended is an orphan like any other.
    pub(super) fn look(&self) {
        let mut members = self.lock();
        let mut unseen: Vec<u32> = members.known.keys().copied().collect();
        while let Some(parent) = unseen.pop() {
            for child in linux::children(parent) {
                if members.known.len() >= linux::LIMIT || members.known.contains_key(&child) {
                    continue;
                }
                if let Some(stat) = linux::Stat::load(child).filter(|stat| stat.parent == parent) {
                    members.known.insert(child, stat.started);
                    unseen.push(child);
                }
            }
        }
    }

    /// Ends every member, until a look through all processes finds none that lives.
    fn end_all(&self) -> usize {
        const ROUNDS: usize = 50;
        let mut ended = std::collections::BTreeSet::new();
        for round in 0..ROUNDS {
            let (alive, grouped) = self.alive();
            if alive.is_empty() {
                break;
            }
            if grouped {
                self.call_group(Call::Kill);
            }
            for member in alive {
                if member != self.leader {
                    ended.insert(member);
                }
                if let Ok(member) = i32::try_from(member) {
                    let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(member), signal(Call::Kill));
                }
            }
            // The kernel needs a moment to take a killed process down, and here nothing async may be waited for: this also
            // runs when an instance is dropped.
            #[allow(clippy::disallowed_methods)]
            std::thread::sleep(std::time::Duration::from_millis(if round < 5 { 1 } else { 5 }));
        }
        ended.len()
    }

    /// The members that live, found by a look through all processes; and whether one of them is in the group.
    fn alive(&self) -> (Vec<u32>, bool) {
        let mut members = self.lock();
        let processes = linux::processes();
        let Some(since) = members.known.get(&self.leader).copied() else { return (Vec::new(), false) };
        let own = std::process::id();
        loop {
            let before = members.known.len();
            for (id, stat) in &processes {
                if *id == own || stat.started < since || members.known.contains_key(id) || before >= linux::LIMIT {
                    continue;
                }
                // an id that was given anew belongs to a stranger
                let same = |other: u32| {
                    let started = members.known.get(&other);
                    started.is_some_and(|started| processes.get(&other).is_none_or(|stat| stat.started == *started))
                };
                let holds = || {
                    members.pipes.iter().any(|pipe| linux::prints_to(*id, pipe))
                        || (!members.marks.is_empty() && linux::is_marked(*id, &members.marks))
                };
                if same(stat.parent) || same(stat.group) || same(stat.session) || holds() {
                    members.known.insert(*id, stat.started);
                }
            }
            if members.known.len() == before {
                break;
            }
        }
        let mut alive = Vec::new();
        let mut grouped = false;
        for (id, started) in &members.known {
            if let Some(stat) = processes.get(id).filter(|stat| stat.started == *started && !stat.dead) {
                alive.push(*id);
                grouped |= stat.group == self.leader;
            }
        }
        (alive, grouped)
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::{BTreeMap, HashSet};
    use std::fs;

    /// How many members are followed.
    pub(super) const LIMIT: usize = 10_000;

    /// What `/proc/<pid>/stat` tells (`proc_pid_stat(5)`).
    #[derive(Debug, Clone, Copy)]
    pub(super) struct Stat {
        pub(super) parent: u32,
        pub(super) group: u32,
        pub(super) session: u32,
        /// In clock ticks since the machine was started.
        pub(super) started: u64,
        /// It has ended and waits to be fetched.
        pub(super) dead: bool,
    }

    impl Stat {
        pub(super) fn load(id: u32) -> Option<Self> {
            Self::parse(&String::from_utf8_lossy(&fs::read(format!("/proc/{id}/stat")).ok()?))
        }

        /// The name, in parentheses, may hold anything: the fields are counted from the last closing one.
        pub(super) fn parse(text: &str) -> Option<Self> {
            let fields: Vec<&str> = text.rsplit_once(')')?.1.split_ascii_whitespace().collect();
            Some(Self {
                dead: matches!(*fields.first()?, "Z" | "X" | "x"),
                parent: fields.get(1)?.parse().ok()?,
                group: fields.get(2)?.parse().ok()?,
                session: fields.get(3)?.parse().ok()?,
                started: fields.get(19)?.parse().ok()?,
            })
        }
    }

    /// All processes that can be seen.
    pub(super) fn processes() -> BTreeMap<u32, Stat> {
        let Ok(entries) = fs::read_dir("/proc") else { return BTreeMap::new() };
        entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter_map(|id| Some((id, Stat::load(id)?)))
            .collect()
    }

    /// The children of all threads of a process, as far as the kernel lists them.
    pub(super) fn children(id: u32) -> Vec<u32> {
        let Ok(threads) = fs::read_dir(format!("/proc/{id}/task")) else { return Vec::new() };
        threads
            .filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("children")).ok())
            .flat_map(|listed| listed.split_ascii_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>())
            .collect()
    }

    /// Whether a process prints to a pipe.
    pub(super) fn prints_to(id: u32, pipe: &str) -> bool {
        [1, 2]
            .iter()
            .any(|stream| fs::read_link(format!("/proc/{id}/fd/{stream}")).is_ok_and(|target| target.as_os_str() == pipe))
    }

    /// Whether a process was started with all these pairs in its environment.
    pub(super) fn is_marked(id: u32, marks: &[Vec<u8>]) -> bool {
        let Ok(environ) = fs::read(format!("/proc/{id}/environ")) else { return false };
        let pairs: HashSet<&[u8]> = environ.split(|byte| *byte == 0).collect();
        marks.iter().all(|mark| pairs.contains(mark.as_slice()))
    }

    #[cfg(test)]
    mod tests {
        use super::Stat;

        #[test]
        fn a_name_with_parentheses_does_not_confuse() {
            let text = "7 (a) b) S 1 7 8 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4242 0";
            let stat = Stat::parse(text);
            assert_eq!(stat.map(|stat| (stat.parent, stat.group, stat.session, stat.started)), Some((1, 7, 8, 4242)));
            assert!(Stat::parse("7 (a").is_none() && Stat::parse("").is_none());
        }
    }
}
