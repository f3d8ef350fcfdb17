"""Tables and SQL of the domain, a file a subject. Every query takes the subject or the grant."""
