//! Whether a Redis lets this program's user do what a switch needs, tried without changing anything: the server looks at
//! the permissions first and at the arguments then, so a command whose arguments it must refuse tells the two apart.
//!
//! `CLIENT UNPAUSE` has no arguments, so it cannot be tried.

use std::time::Duration;

use super::error::{Operation, RedisError};
use super::redis::RedisClient;

/// What no server takes for a number.
const NO_NUMBER: &str = "not-a-number";
/// How a server begins that does not have the command, or not for anybody: no word about the arguments.
const NO_COMMAND: [&str; 2] = ["unknown", "REPLICAOF not allowed"];

impl RedisClient {
    /// Tries whether writes may be paused.
    ///
    /// # Errors
    /// They may not, the server does not know the command, or it could not be asked.
    pub async fn may_pause_writes(&self, deadline: Duration) -> Result<(), RedisError> {
        let command = redis::cmd("CLIENT").arg("PAUSE").arg(NO_NUMBER).arg("WRITE").take();
        self.refuses_arguments(Operation::PauseWrites, &command, deadline).await
    }

    /// Tries whether the server may be promoted.
    ///
    /// # Errors
    /// It may not, it does not know the command, or it could not be asked.
    pub async fn may_promote(&self, deadline: Duration) -> Result<(), RedisError> {
        let command = redis::cmd("REPLICAOF").arg("nowhere.invalid").arg(NO_NUMBER).take();
        self.refuses_arguments(Operation::Promote, &command, deadline).await
    }

    /// The one good answer is that the arguments are wrong.
    async fn refuses_arguments(
        &self,
        operation: Operation,
        command: &redis::Cmd,
        deadline: Duration,
    ) -> Result<(), RedisError> {
        match self.ask(operation, command, deadline.into()).await {
            Ok(_) => Err(RedisError::Unexpected { operation }),
            Err(RedisError::Reply { source, .. }) if is_about_arguments(&source) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn is_about_arguments(answer: &redis::RedisError) -> bool {
    let words = answer.detail().unwrap_or_default();
    answer.code() == Some("ERR") && !NO_COMMAND.iter().any(|start| words.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_word_about_the_arguments_proves_a_right() {
        for (line, is_proof) in [
            ("ERR Invalid master port", true),
            ("ERR value is not an integer or out of range", true),
            ("ERR timeout is not an integer or out of range", true),
            ("NOPERM User looker has no permissions to run the 'replicaof' command", false),
            ("ERR unknown command 'REPLICAOF', with args beginning with: 'nowhere.invalid'", false),
            ("ERR unknown subcommand 'PAUSE'. Try CLIENT HELP.", false),
            ("ERR REPLICAOF not allowed in cluster mode.", false),
            ("LOADING Redis is loading the dataset in memory", false),
            ("NOAUTH Authentication required.", false),
        ] {
            let answer = redis::parse_redis_value(format!("-{line}\r\n").as_bytes());
            let answer = answer.and_then(redis::Value::extract_error).unwrap_err();
            assert_eq!(is_about_arguments(&answer), is_proof, "{line}");
        }
    }
}
