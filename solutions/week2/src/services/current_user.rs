//! Who is asking. Sign-in comes in week 3; until then everybody is Ada.

/// A signed-in user.
#[derive(Debug, Clone, Copy)]
pub struct User {
    pub id: &'static str, //@ since homework/who-was-it
    pub display_name: &'static str,
    pub handle: &'static str,
}

/// The user that every request is made by.
pub const CURRENT_USER: User = User {
    id: "ada", //@ since homework/who-was-it
    display_name: "Ada Byron",
    handle: "ada",
};
