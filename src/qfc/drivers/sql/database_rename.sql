alter database {name} rename to {to}
