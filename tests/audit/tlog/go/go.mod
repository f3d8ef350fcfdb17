module unefois/tests/audit/go

go 1.24

require golang.org/x/mod v0.0.0

// A copy of what the Go tree itself carries, laid beside this file when the test runs.
replace golang.org/x/mod => ./mod
