select channel, day, max(date_time) as last_dt, count(*) as total_bids, count(*) filter (rank = 1) as rank1_bids, count(*) filter (rank = 2) as rank2_bids, count(*) filter (rank = 3) as rank3_bids,
  count(distinct bidder) as total_bidders, count(distinct auction) as total_auctions
from (select *, case when price < 10000 then 1 when price < 1000000 then 2 else 3 end as rank, cast(epoch_ms(date_time) as date) as day from bid)
group by channel, day
