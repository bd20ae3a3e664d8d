// A target for transfers that is nearly free: takes the bulk requests of a transfer as an OpenSearch does, keeps its
// ledger, and only counts the documents. Prints its address, then, for each line on standard input, how many documents
// came so far.
#include <cstdio>
#include <iostream>
#include <string>

#include "logstore/elastic/testing/fake_cluster.h"

int main() {
  logboom::logstore::elastic::FakeCluster cluster;
  cluster.only_count();
  std::cout << cluster.url() << std::endl;
  for (std::string line; std::getline(std::cin, line);) std::cout << cluster.counted() << std::endl;
}
